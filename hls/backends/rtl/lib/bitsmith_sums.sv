// Accumulators with a bias: in a cycle with go, x is added to the bias (first) or to the sums so far; in the cycle
// after one with last too they are complete.  One step per sum and no bias: x itself, at once.
module bitsmith_sums #(
    parameter int PE       = 2,
    parameter int ACC      = 12,
    parameter int OUTS     = 4,  // words of bias
    parameter int ONE_STEP = 0,
    parameter int HAS_BIAS = 1,
    parameter int BLOCK    = 0,  // bias in block RAM
    parameter     BIAS     = ""
) (
    input  logic              clk,
    input  logic              resetn,
    input  logic              go,
    input  logic              first,
    input  logic              next_last,  // last of the next cycle, low without go
    input  logic              last,       // low without go
    input  logic [PE*ACC-1:0] x,
    output logic              put,
    output logic [PE*ACC-1:0] q
);
  if (ONE_STEP == 1 && HAS_BIAS == 0) begin : g_through
    assign put = last;
    assign q   = x;
    logic unused;
    assign unused = ^{clk, resetn, go, first, next_last};
  end else begin : g_sum
    localparam int AW = OUTS > 1 ? $clog2(OUTS) : 1;
    logic [PE*ACC-1:0] bias;

    if (HAS_BIAS == 1) begin : g_bias  // read one cycle ahead
      logic [AW-1:0] address;
      if (OUTS > 1) begin : g_address
        always_ff @(posedge clk) begin
          if (!resetn) address <= '0;
          else if (next_last) address <= address == AW'(OUTS - 1) ? '0 : address + AW'(1);
        end
      end else begin : g_no_address
        logic unused;
        assign address = '0;
        assign unused  = next_last;
      end
      bitsmith_rom #(.WIDTH(PE * ACC), .DEPTH(OUTS), .BLOCK(BLOCK), .FILE(BIAS)) rom (
          .clk(clk), .address(address), .q(bias));
    end else begin : g_no_bias
      logic unused;
      assign bias   = '0;
      assign unused = next_last;
    end

    for (genvar p = 0; p < PE; p++) begin : g_lane
      logic [ACC-1:0] sum;
      if (ONE_STEP == 1) begin : g_one
        always_ff @(posedge clk) sum <= bias[p*ACC+:ACC] + x[p*ACC+:ACC];
      end else begin : g_many
        always_ff @(posedge clk) if (go) sum <= (first ? bias[p*ACC+:ACC] : sum) + x[p*ACC+:ACC];
      end
      assign q[p*ACC+:ACC] = sum;
    end
    if (ONE_STEP == 1) begin : g_flags
      logic unused;
      assign unused = ^{go, first};
    end
    always_ff @(posedge clk) put <= resetn && last;
  end
endmodule
