"""How bright skin is: what photos tell of it, learned from rendered people."""
