"""What would be under other rules: verdicts of past tickets, deadlines of open ones. Pure; numpy inside."""
