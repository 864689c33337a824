"""Fine relief of the skin: faces with relief that is known, and the network that sees it in their pictures."""
