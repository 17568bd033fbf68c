// Package doctor looks for whatever could keep a stream from getting through: the network,
// ports and the programs that hold them, players, the folder with the keys, the clock, the
// relay that runs here, and the upload. One part looks at this machine, and another judges what
// was seen: a check is a function of a machine's state, so that a test can make up that state.
// The caller says how to ask a relay and this network. Nothing goes to the Internet.
package doctor
