"""Accuracy: compute-SNR of bit-sliced, bit-serial analog multiplication, in closed form and by Monte Carlo."""
