// Package doctor looks for whatever could keep a stream from getting through: the network,
// ports and the programs that hold them, players, the folder with the keys, the clock, the
// relay that runs here, and the upload. One part looks at this machine, and another judges what
// was seen: a check is a function of a machine's state, so that a test can make up that state.
// Doctor searches this network itself, and asks the relay that the caller names. Nothing goes to
// the Internet.
package doctor
