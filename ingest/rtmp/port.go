package rtmp

// DefaultPort is the TCP port of RTMP (Adobe's specification 1.0, section 1).
const DefaultPort = 1935
