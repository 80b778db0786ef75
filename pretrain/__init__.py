"""Self-supervised video-language pretraining; imports without pinocchio and pybullet."""
