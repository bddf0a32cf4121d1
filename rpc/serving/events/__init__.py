"""What happens: events in their order, streams of them, and webhooks from an outbox."""
