"""Kubernetes, from manifests or from what ``kubectl get -o yaml`` answered: objects, discovery, prometheus-operator."""
