"""The gallery that names products: photos in, changes taken back."""
