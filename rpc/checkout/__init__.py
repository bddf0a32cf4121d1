"""The use case: tray photo in, shopping list out."""

from rpc.checkout.counter import Checkout, FindsItems, NamesItems, name_items

__all__ = ["Checkout", "FindsItems", "NamesItems", "name_items"]
