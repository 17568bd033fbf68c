// Package interop holds relay/dht to nodes of another implementation, github.com/anacrolix/dht. It is a module
// of its own, since that library brings 145 modules with which the program has nothing to do.
package interop
