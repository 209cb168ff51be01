"""The real-name check: over HTTP, in the shape of apick's."""
