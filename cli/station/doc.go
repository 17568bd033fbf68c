// Package station is one relaying process as the commands assemble it: a node, its listeners
// for links, for players and for who runs it, and the channels on them. Open makes all of it
// or nothing, Run serves, Close closes what is left.
//
// The files fall into three: the station itself (station, ports, identify, mapping), what it shows of its channels (announce to
// this network, page, share, survey, and a file for each other protocol to players), and what it tells whoever runs it
// (operations; the rooms monitor and webhook).
package station
