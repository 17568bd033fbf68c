// Package admin is a node's listener for who runs it: metrics for Prometheus, whether
// the node is healthy and has media, and the API in full, with addresses and whole
// node IDs. Players are served elsewhere.
//
// It reads what the node counts anyway, at each scrape. Labels are bounded: a channel
// by its short ID, a reason out of a fixed set; never a node, an address or a
// stranger's text.
package admin
