// Pipe: a table per lane, or one for all.  A memory is addressed by the fold and the lowest WA bits of x, which tell
// all values of x apart that occur.  LATENCY 1.
module bitsmith_lut #(
    parameter int LANES = 1,
    parameter int FOLDS = 1,  // tables per lane
    parameter int EACH  = 0,  // 1: a word of the file holds the entries of all lanes, 0: one that is for all
    parameter int WX    = 8,
    parameter int WA    = 8,
    parameter int WY    = 8,
    parameter int BLOCK = 0,
    parameter     FILE  = ""  // FOLDS * 2^WA words
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                put,
    input  logic [LANES*WX-1:0] d,
    output logic                q_put,
    output logic [LANES*WY-1:0] q
);
  localparam int WF    = FOLDS > 1 ? $clog2(FOLDS) : 0;
  localparam int WORDS = EACH == 1 ? LANES : 1;

  logic [1:0] line;
  bitsmith_put_line #(.DEPTH(1)) puts (.clk, .resetn, .put, .line);
  assign q_put = line[1];

  logic [WF:0] fold;  // a zero above it
  if (FOLDS > 1) begin : g_folds
    always_ff @(posedge clk) begin
      if (!resetn) fold <= '0;
      else if (put) fold <= fold == (WF + 1)'(FOLDS - 1) ? '0 : fold + (WF + 1)'(1);
    end
  end else begin : g_one
    assign fold = '0;
  end

  for (genvar i = 0; i < LANES; i++) begin : g_lane
    logic [WF+WA:0]      address;
    logic [WORDS*WY-1:0] word;
    assign address = {fold, d[i*WX+:WA]};
    bitsmith_rom #(.WIDTH(WORDS * WY), .DEPTH(FOLDS << WA), .BLOCK(BLOCK), .FILE(FILE)) table_ (
        .clk, .address(address[WF+WA-1:0]), .q(word));
    assign q[i*WY+:WY] = word[(EACH==1?i:0)*WY+:WY];
    logic unused;
    assign unused = ^{word, address};
  end

  logic unused;
  assign unused = ^{d, line[0]};
endmodule
