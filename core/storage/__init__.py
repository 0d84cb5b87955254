"""The engines behind `frontdesk.core.store.Store`."""
