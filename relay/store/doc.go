// Package store keeps on disk what outlives a run, in one folder of the user's: the keys
// of the node and of its channels, the newest epoch of each channel, what an encoder has
// to know, and where nodes of watched channels were seen. It opens no connection and
// starts no goroutine. A channel that is broadcast from here has a name in the folder,
// one that was watched has its ID.
package store
