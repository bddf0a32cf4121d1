"""Events of what happens, in their order; streams of them, and webhooks from an outbox."""
