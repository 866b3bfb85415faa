// Head: for every place BEATS beats of each input in turn, as signed or unsigned numbers brought to WY bits.
module bitsmith_concat #(
    parameter int INPUTS = 2,
    parameter int LANES  = 1,
    parameter logic [INPUTS*32-1:0] WX     = {32'd8, 32'd8},  // bits of a lane, per input; input 0 in the lowest bits
    parameter logic [INPUTS-1:0]    X_SIGN = '1,
    parameter logic [INPUTS*32-1:0] BEATS  = {32'd1, 32'd1},
    parameter int WIDTH  = 16,  // of all inputs
    parameter int WY     = 8
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic [INPUTS-1:0]   s_valid,
    output logic [INPUTS-1:0]   s_ready,
    input  logic [WIDTH-1:0]    s_data,
    input  logic                room,
    output logic                issue,
    output logic                put,
    output logic [LANES*WY-1:0] q
);
  logic [INPUTS-1:0] turn, last;  // one is high: whose turn it is, and whether its last beat comes
  logic [INPUTS*LANES*WY-1:0] offered;  // nothing but zeros where it is not an input's turn
  assign s_ready = turn & {INPUTS{room}};
  assign issue   = |(s_valid & s_ready);

  for (genvar k = 0; k < INPUTS; k++) begin : g_input
    localparam int W = int'(WX[k*32+:32]);
    localparam int START = bits_below(k);
    logic ends;
    bitsmith_count #(.N(int'(BEATS[k*32+:32]))) count (.clk, .resetn, .step(issue && turn[k]), .last(ends));
    assign last[k] = turn[k] && ends;
    for (genvar i = 0; i < LANES; i++) begin : g_lane
      logic [W+WY-1:0] wide;
      assign wide = {{WY{X_SIGN[k] && s_data[START+i*W+W-1]}}, s_data[START+i*W+:W]};
      assign offered[(k*LANES+i)*WY+:WY] = turn[k] ? wide[WY-1:0] : '0;
      logic unused;
      assign unused = ^wide;
    end
  end

  logic [LANES*WY-1:0] chosen;
  always_comb begin
    chosen = '0;
    for (int k = 0; k < INPUTS; k++) chosen = chosen | offered[k*LANES*WY+:LANES*WY];
  end

  always_ff @(posedge clk) begin
    if (!resetn) turn <= INPUTS'(1);
    else if (issue && |last) turn <= {turn[INPUTS-2:0], turn[INPUTS-1]};
    put <= resetn && issue;
    q   <= chosen;
  end

  function automatic int bits_below(input int input_);  // bits of the inputs below
    bits_below = 0;
    for (int k = 0; k < input_; k++) bits_below = bits_below + LANES * int'(WX[k*32+:32]);
  endfunction
endmodule
