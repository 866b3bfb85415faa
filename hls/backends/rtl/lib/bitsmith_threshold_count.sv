// Number of thresholds that x reaches.  The thresholds ascend, so the comparators give a
// thermometer code, and a tree of multiplexers turns it into binary.
module bitsmith_threshold_count #(
    parameter int              WX         = 8,
    parameter int              LEVELS     = 3,
    parameter int              WY         = 2,  // 2^WY > LEVELS
    parameter logic [LEVELS*WX-1:0]     THRESHOLDS = '0  // the lowest threshold in the lowest bits
) (
    input  logic signed [WX-1:0] x,
    output logic        [WY-1:0] y
);
  localparam int FULL = 1 << WY;

  // Row k: the part of the thermometer that the upper k bits of y left open.
  logic [(WY+1)*FULL-1:0] tree;

  for (genvar i = 0; i < FULL; i++) begin : g_compare
    if (i < LEVELS) begin : g_real
      assign tree[i] = x >= $signed(THRESHOLDS[i*WX+:WX]);
    end else begin : g_none
      assign tree[i] = 1'b0;
    end
  end

  for (genvar k = 0; k < WY; k++) begin : g_bit
    localparam int HALF = FULL >> (k + 1);
    assign y[WY-1-k] = tree[k*FULL+HALF-1];
    for (genvar i = 0; i < FULL; i++) begin : g_pick
      if (i < HALF) begin : g_half
        assign tree[(k+1)*FULL+i] = y[WY-1-k] ? tree[k*FULL+i+HALF] : tree[k*FULL+i];
      end else begin : g_rest
        assign tree[(k+1)*FULL+i] = 1'b0;
      end
    end
  end

  logic unused_rows;
  assign unused_rows = ^tree;
endmodule
