"""Richardson, Sela & Kimmel 2016: a network that corrects its answer, shown what that answer looks like."""
