"""Business time and the clocks of a ticket: pure, knows `model` only."""
