"""ER-SDE-Solver: its order without noise, its coefficients by quadrature, and its law with noise."""
