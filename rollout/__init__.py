"""The rollout engine: decides whether a stage may grow, moves the traffic, takes it back when it hurts."""
