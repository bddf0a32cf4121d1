"""How like real checkout photos a set of scenes is: statistics and distances."""
