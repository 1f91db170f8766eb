"""Those who ask the applications, and what stands around them: users, a load balancer's checks, a catalogue's copy, a chat."""
