"""The figures and tables: each script reads results and draws one of them."""
