// Package multicast has the sockets of those who ask a group on this machine's networks, and of those who
// answer there: on each interface that is up, also on those that come later, from the address that this
// machine has there. What is said is others' business: relay/discovery, playback/tv and playback/cast.
package multicast
