package api

// Invitation is what GET /api/v1/share answers: what a person who looks at a page may pass on.
type Invitation struct {
	Share
	Near    bool `json:"near"`    // other machines may reach the page at that address
	Private bool `json:"private"` // there is no link, as no page tells a secret
	// QR is a QR code of the page's address, row by row, 1 for a dark module; empty if none is of use.
	QR []string `json:"qr"`
	// Embed are the origins of the sites that may show /embed in a frame, and have the media.
	Embed []string `json:"embed"`
}
