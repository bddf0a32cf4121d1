"""The use case: tray photo in, shopping list out."""

from rpc.checkout.counter import Checkout, FindsItems, name_items
from rpc.checkout.receipt import Receipt, ReceiptItem

__all__ = ["Checkout", "FindsItems", "Receipt", "ReceiptItem", "name_items"]
