package hostile

import "relay/relay/stream"

// Tables returns the inputs for every port of a node that carries a channel. key is the stream key,
// "" if it is not known: then there are none of [Media].
func Tables(ch stream.ChannelID, key string) []Table {
	all := []Table{rtmpTable(), httpTable(ch.String()), tlsTable(), linkTable(ch), streamTable(ch), gossipTable(ch), discoveryTable(), peerCastTable(ch), rtspTable(ch), srtTable(), whipTable(), whipPacketTable(), mpegTSTable(), tvTable(), ssdpTable()}
	if key != "" {
		all = append(all, mediaTable(key))
	}
	return all
}
