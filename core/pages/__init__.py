"""What every page stands on: the frame around it, its security policy, and how it says that something is wrong."""

from core.pages.answers import error_page, is_fragment, page, redirect_to
from core.pages.posting import posting_address, streamed

__all__ = ["error_page", "is_fragment", "page", "posting_address", "redirect_to", "streamed"]
