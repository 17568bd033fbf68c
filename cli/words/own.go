package words

// OwnChannel says to who watches a channel of this machine's own that there is no need to.
const OwnChannel = "This channel is this machine's own: where relay source runs, its page shows the picture without relay watch."
