// Package station is one relaying process as the commands assemble it: a node, its listeners
// for links, for players and for who runs it, and the channels on them. Open makes all of it
// or nothing, Run serves, Close closes what is left.
//
// The files fall into three: the station itself (station, ports, keys; reach, names and
// mapping say where others reach it while addresses change), what it shows of its channels (announce to
// this network, page, share, rtmp and treeview to players), and what it tells whoever runs it
// (operations, mediamonitor; the room webhook).
package station
