"""Help that everybody can read: a guide to each page, the words that are used, and what each refusal means (SPEC R13, "Refusals").

`topics`: which guides there are. `glossary`: the words. `refusals`: what a PBX shows. The texts are templates beside the pages that show them.
"""
