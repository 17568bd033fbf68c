package api

import "time"

// PortMapping is what the routers here made of the request to open the node's port.
type PortMapping struct {
	Text     string       `json:"text"` // for a person, in whole sentences
	Next     string       `json:"next"` // what a person can do; "" if there is nothing to do
	Open     bool         `json:"open"` // there is a mapping by IPv4 of which others are told
	Why      string       `json:"why"`  // why they cannot; "none" if there is a public address
	Why6     string       `json:"why6"` // the same for IPv6
	Mappings []MappedPort `json:"mappings"`
}

// MappedPort is a port that a router says it has opened.
type MappedPort struct {
	Protocol string    `json:"protocol"`
	Gateway  string    `json:"gateway"`
	Internal string    `json:"internal"` // this machine's end
	External string    `json:"external"` // the router's end, for TCP
	UDPPort  int       `json:"udp_port"` // of the router's end; 0 for none
	LeaseS   int64     `json:"lease_s"`  // 0 for good
	Since    time.Time `json:"since"`
	Why      string    `json:"why"`  // as in PortMapping
	Told     bool      `json:"told"` // others are told of it
}
