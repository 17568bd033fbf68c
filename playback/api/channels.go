package api

// Channels is what GET /api/v1/channels answers on the players' listener.
type Channels struct {
	Channels []PublicChannel `json:"channels"`
}

// PublicChannel is one channel as anyone who may watch it may know it: without
// addresses, and with nodes by their tags.
type PublicChannel struct {
	Channel
	Parent string `json:"parent"` // its tag; "" at the root, and while there is none
	// ParentName is what the parent calls itself, as it has signed it; "" if nothing, and if that is for
	// others than who asks.
	ParentName string `json:"parent_name"`
	Children   int    `json:"children"` // how many there are
	URLs       URLs   `json:"urls"`
	// Films says that the browser that asks may film for the channel, on the page at /broadcast.
	Films bool `json:"films,omitempty"`
}

// URLs is where a channel is found under the host that was asked.
type URLs struct {
	FLV  string `json:"flv"`
	MP4  string `json:"mp4"`
	TS   string `json:"ts"`
	HLS  string `json:"hls"`
	M3U  string `json:"m3u"`
	JPG  string `json:"jpg,omitempty"` // a small picture; left out if none is made here
	Page string `json:"page"`
	RTMP string `json:"rtmp,omitempty"` // left out if it is not played over RTMP there
	RTSP string `json:"rtsp,omitempty"` // likewise
	SRT  string `json:"srt,omitempty"`  // likewise
	Link string `json:"link,omitempty"` // for relay watch; left out if no links are taken there
}
