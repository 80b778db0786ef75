"""Video in and out; person, hand and tool tracks; camera; contact states. No 3D dynamics."""
