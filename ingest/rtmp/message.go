package rtmp

// RTMP message types (RTMP 1.0, sections 5.4 and 7.1).
const (
	msgSetChunkSize  = 1
	msgAbort         = 2
	msgAcknowledge   = 3
	msgUserControl   = 4
	msgWindowAckSize = 5
	msgPeerBandwidth = 6
	msgAudio         = 8
	msgVideo         = 9
	msgDataAMF3      = 15
	msgCommandAMF3   = 17
	msgDataAMF0      = 18
	msgCommandAMF0   = 20
	msgAggregate     = 22
)

// message is one RTMP message that has come.
type message struct {
	typ    uint8
	ms     uint32 // its timestamp, which wraps
	stream uint32 // message stream
	body   []byte // until the next message is read
}
