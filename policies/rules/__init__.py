"""Policies of ours, one per file, named by id: ckv_rg_1.py holds CKV_RG_1."""
