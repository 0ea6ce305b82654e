"""Short forms and the words they stand for, so that a rule is written in one form only."""

_NOT = "do|does|did|is|are|was|were|has|have|had|could|would|should|must|need"

CONTRACTIONS = {
    **{f"{verb}n't": f"{verb} not" for verb in _NOT.split("|")},
    **{f"{verb}nt": f"{verb} not" for verb in _NOT.split("|")},
    "tonight's": "tonight is", "today's": "today is", "everything's": "everything is", "everyone's": "everyone is",
    "can't": "can not", "cant": "can not", "cannot": "can not", "won't": "will not", "wont": "will not",
    "shan't": "will not", "ain't": "am not", "aint": "am not", "dnt": "do not", "cnt": "can not", "don": "do",
    "i'm": "i am", "im": "i am", "iam": "i am", "i'v": "i have", "i've": "i have", "ive": "i have",
    "i'll": "i will", "i'd": "i would", "ima": "i am going to", "imma": "i am going to", "it's": "it is",
    "that's": "that is", "thats": "that is", "what's": "what is", "whats": "what is", "where's": "where is",
    "wheres": "where is", "how's": "how is", "who's": "who is", "there's": "there is", "theres": "there is",
    "here's": "here is", "he's": "he is", "hes": "he is", "she's": "she is", "shes": "she is", "hed": "he would",
    "he'd": "he would", "she'd": "she would", "they'd": "they would", "let's": "let us", "you're": "you are",
    "youre": "you are", "we're": "we are", "they're": "they are", "theyre": "they are", "you've": "you have",
    "youve": "you have", "you'll": "you will", "we've": "we have", "they've": "they have", "you'd": "you would",
    "he'll": "he will", "she'll": "she will", "they'll": "they will", "it'll": "it will", "nobody's": "nobody is",
    "we'd": "we would", "nothing's": "nothing is", "life's": "life is", "wanna": "want to",
    "wana": "want to", "wanto": "want to", "gonna": "going to", "gunna": "going to", "gona": "going to",
    "finna": "going to", "gotta": "got to", "tryna": "trying to", "dunno": "do not know", "idk": "i do not know",
    "idc": "i do not care", "kinda": "kind of", "sorta": "sort of", "outta": "out of", "lemme": "let me",
    "gimme": "give me", "should've": "should have", "shouldve": "should have", "could've": "could have",
    "couldve": "could have", "would've": "would have", "wouldve": "would have", "might've": "might have",
    "must've": "must have", "coulda": "could have", "shoulda": "should have", "'em": "them", "od'd": "overdosed",
    "od'ed": "overdosed",
}  # fmt: skip
