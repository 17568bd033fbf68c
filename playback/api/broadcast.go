package api

// Broadcast is what GET /api/v1/broadcast answers: what a page of this node needs to send what it films.
type Broadcast struct {
	Token  string `json:"token"`  // to be given first; of this run of the node
	WebRTC bool   `json:"webrtc"` // pages may send over it whose browser does not encode for pages
}
