package playback

// Share is what people share to have others watch a channel. What is not known is
// empty.
type Share struct {
	Link string `json:"link"` // for relay watch
	Page string `json:"page"` // the page's address, the one that other machines reach if there is one
}
