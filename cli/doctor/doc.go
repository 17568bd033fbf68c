// Package doctor looks for what could keep a stream from getting through: the network,
// ports and who has them, players, the folder with the keys, the clock, the relay that
// runs here, and the upload. Looking at this machine and judging what was seen are kept
// apart: a check is a function of a machine's state, which a test makes up. How a relay
// and this network are asked is told by the caller; nothing goes to the Internet.
package doctor
