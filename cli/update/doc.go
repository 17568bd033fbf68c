// Package update tells whether there is a newer release of relay, and changes nothing. Where releases are
// is for whoever builds one to say (From), or for who asks.
package update
