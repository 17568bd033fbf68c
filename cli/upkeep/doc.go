// Package upkeep has the commands around the stream: relay as a service, whether there is a newer release,
// whether one is ready, which version this is, and what is asked where nothing was said.
package upkeep
