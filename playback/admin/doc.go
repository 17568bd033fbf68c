// Package admin is a node's listener for its operator: metrics for Prometheus, health and
// readiness, and the API in full, with addresses and whole node IDs. Players are served
// elsewhere.
//
// Each scrape reads what the node counts anyway. Labels are bounded: a channel's short ID,
// or a reason from a fixed set; never a node, an address or a stranger's text.
package admin
