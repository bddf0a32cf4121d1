"""Pretrained networks and the maps taken out of them."""
