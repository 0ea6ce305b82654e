"""Finds claims and passages: dense (Chroma) and keyword (BM25) search, fused by reciprocal rank."""
