package api

// Top is what relay top --json writes.
type Top struct {
	Channels []TopChannel `json:"channels"`
}

// TopChannel is what relay top shows of one channel at one moment. What is not known
// is nil, or an empty text.
type TopChannel struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Title string `json:"title"`
	State State  `json:"state"` // at the relay that was asked
	// Situation is what a viewer there sees; nil if it does not say.
	Situation *Situation `json:"situation"`
	BitRate   *int64     `json:"bit_rate"` // bit/s
	Players   *int       `json:"players"`  // at the relay that was asked
	Watching  *int       `json:"watching"` // how many watch the channel
	Problem   string     `json:"problem"`  // why the source could not be asked
	SeenBy    string     `json:"seen_by"`  // who was asked then
	Port      string     `json:"port"`     // whether routers have opened the port of the relay that was asked, in words; with the first channel alone

	Summary TreeSummary `json:"summary"`
	Nodes   []TopNode   `json:"nodes"`
}

// TopNode is one node. Its link is the one to its parent.
type TopNode struct {
	ID       string `json:"id"`   // its first 12 characters
	Name     string `json:"name"` // what it calls itself; may be empty
	Hop      int    `json:"hop"`
	Source   bool   `json:"source"`
	Here     bool   `json:"here"` // it is the relay that was asked
	CutOff   bool   `json:"cut_off"`
	DownBPS  *int64 `json:"down_bps"`
	UpBPS    *int64 `json:"up_bps"`
	CapBPS   *int64 `json:"cap_bps"` // what its slots take when all are in use
	Children int    `json:"children"`
	Slots    int    `json:"slots"`
	DelayMs  *int64 `json:"delay_ms"` // behind the source
	Lost     int64  `json:"lost"`     // chunks
	AgeS     *int64 `json:"age_s"`    // in the channel
	Link     string `json:"link"`     // "near", "far" or "" if it is not known
	Addr     string `json:"addr"`     // of the other end of a link of the relay that was asked

	Losing bool `json:"-"` // it has lost chunks since the table before
}
