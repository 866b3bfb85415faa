// A net behind a UART: checks itself with a golden frame after reset, then answers requests (docs/host.md).
//
// request   B5 command [input frame, where the command is INFER] crc
// response  5B status [identity | output frame, cycles], where the status names no error; crc
//
// One engine does it all.  Every byte of either direction is `octet` in the cycle in which `step` is high, so that one
// CRC and one counter serve both; the self-test is an inference whose bytes come from ROM and go nowhere.
module bitsmith_host #(
    parameter int          IN_BYTES     = 1,   // of a beat of the net's input stream
    parameter int          IN_BEATS     = 1,   // of a frame
    parameter int          OUT_BYTES    = 1,
    parameter int          OUT_BEATS    = 1,
    parameter int          DIVIDER      = 104, // clock cycles per bit of the UART
    parameter int          TIMEOUT_LOG2 = 20,  // so many cycles of silence end an incomplete request; at most 31
    parameter logic [15:0] GOLDEN_CRC   = '0,  // of the output frame that belongs to the golden input frame
    parameter              ROM          = ""   // file: golden input frame, then the identity
) (
    input  logic                   clk,
    input  logic                   resetn,
    input  logic                   rx,
    output logic                   tx,
    output logic                   pass,
    output logic                   fail,
    output logic [ 8*IN_BYTES-1:0] net_in_tdata,
    output logic                   net_in_tvalid,
    input  logic                   net_in_tready,
    output logic                   net_in_tlast,
    input  logic [8*OUT_BYTES-1:0] net_out_tdata,
    input  logic                   net_out_tvalid,
    output logic                   net_out_tready
);
  localparam int IN_FRAME  = IN_BYTES * IN_BEATS;
  localparam int OUT_FRAME = OUT_BYTES * OUT_BEATS;
  localparam int IDENTITY  = 19;  // bytes
  localparam int ROM_SIZE  = IN_FRAME + IDENTITY;
  localparam int CW        = $clog2(OUT_FRAME > ROM_SIZE ? OUT_FRAME : ROM_SIZE);
  localparam int AW        = $clog2(ROM_SIZE);

  localparam logic [7:0] REQUEST = 8'hB5, RESPONSE = 8'h5B, IDENTIFY = 8'h01, INFER = 8'h02;

  typedef enum logic [3:0] {
    GOLDEN,   // self-test: the golden frame from ROM
    IDLE,     // looks for a request
    COMMAND,
    PAYLOAD,
    CHECK,    // the two bytes of the request's CRC
    START,    // of the response
    STATUS,
    IDENTIFIED,
    RESULT,   // also of the self-test
    CYCLES,
    SEAL      // the two bytes of the response's CRC
  } state_t;

  state_t state, after;
  logic [CW-1:0] count, limit;  // bytes of this state
  logic last, step, fresh;
  logic receiving, sending, testing, failed, infers, known, bad, start;
  logic [7:0] octet, received, stored, result, status;
  logic came, tx_ready;
  logic [15:0] crc, next_crc;
  logic [31:0] timer;
  logic timing, counting, taken, arrived;
  logic net_ready;
  logic [7:0] net_byte;

  bitsmith_uart_rx #(.DIVIDER(DIVIDER)) u_rx (
      .clk(clk),
      .resetn(resetn),
      .rx(rx),
      .valid(came),
      .data(received)
  );

  bitsmith_uart_tx #(.DIVIDER(DIVIDER)) u_tx (
      .clk(clk),
      .resetn(resetn),
      .tx(tx),
      .valid(sending && fresh && !testing),
      .ready(tx_ready),
      .data(octet)
  );

  bitsmith_crc16 u_crc (
      .crc (crc),
      .data(octet),
      .next(next_crc)
  );

  bitsmith_frame_source #(
      .BYTES(IN_BYTES),
      .BEATS(IN_BEATS)
  ) u_source (
      .clk(clk),
      .resetn(resetn),
      .clear(state == COMMAND),
      .push(step && (state == GOLDEN || state == PAYLOAD)),
      .data(octet),
      .send(start),
      .m_tdata(net_in_tdata),
      .m_tvalid(net_in_tvalid),
      .m_tready(net_in_tready),
      .m_tlast(net_in_tlast)
  );

  bitsmith_frame_sink #(
      .BYTES(OUT_BYTES),
      .BEATS(OUT_BEATS)
  ) u_sink (
      .clk(clk),
      .resetn(resetn),
      .s_tdata(net_out_tdata),
      .s_tvalid(net_out_tvalid),
      .s_tready(net_out_tready),
      .arrived(arrived),
      .ready(net_ready),
      .data(net_byte),
      .take(step && state == RESULT)
  );

  // Bytes that wait elsewhere are read into stored or result first: fresh says that they hold this step's.
  logic [7:0] rom[0:ROM_SIZE-1];
  if (ROM != "") begin : g_rom
    initial $readmemh(ROM, rom);
  end
  always_ff @(posedge clk) begin
    stored <= rom[count[AW-1:0]];
    fresh  <= resetn && !step && (state != RESULT || net_ready);
  end

  always_ff @(posedge clk) result <= state == CYCLES ? timer[8*count[1:0]+:8] : net_byte;

  assign receiving = state == COMMAND || state == PAYLOAD || state == CHECK;
  assign sending   = state != GOLDEN && state != IDLE && !receiving;
  assign status    = {failed, 5'd0, !bad && !known, bad};
  assign pass      = !testing && !failed;
  assign fail      = failed;

  always_comb begin
    case (state)
      GOLDEN, IDENTIFIED: octet = stored;
      START: octet = RESPONSE;
      STATUS: octet = status;
      RESULT, CYCLES: octet = result;
      SEAL: octet = crc[15:8];
      default: octet = received;
    endcase
    if (state == GOLDEN) step = fresh;
    else if (sending) step = fresh && (testing || tx_ready);
    else step = came;
  end

  always_comb begin
    case (state)
      GOLDEN, PAYLOAD: limit = CW'(IN_FRAME - 1);
      IDENTIFIED: limit = CW'(ROM_SIZE - 1);
      RESULT: limit = CW'(OUT_FRAME - 1);
      CYCLES: limit = CW'(3);
      CHECK, SEAL: limit = CW'(1);
      default: limit = '0;
    endcase
    case (state)
      GOLDEN: after = RESULT;
      IDLE: after = COMMAND;
      COMMAND: after = octet == INFER ? PAYLOAD : CHECK;
      PAYLOAD: after = CHECK;
      CHECK: after = START;
      START: after = STATUS;
      STATUS: after = bad || !known ? SEAL : infers ? RESULT : IDENTIFIED;
      RESULT: after = testing ? IDLE : CYCLES;
      SEAL: after = IDLE;
      default: after = SEAL;
    endcase
  end

  // No two steps follow each other at once, so that last may be a register.
  always_ff @(posedge clk) begin
    last <= count == limit;
    if (!resetn) begin
      state <= GOLDEN;
      count <= '0;
    end else if (receiving && timer[TIMEOUT_LOG2]) begin
      state <= IDLE;
      count <= '0;
      last  <= 1'b1;
    end else if (step && (state != IDLE || octet == REQUEST)) begin
      if (last) state <= after;
      if (!last) count <= count + 1'b1;
      else if (after == IDENTIFIED) count <= CW'(IN_FRAME);
      else count <= '0;
    end
  end

  // In the first cycle of START and, after the self-test, of IDLE the CRC still is that of the bytes before.
  always_ff @(posedge clk) begin
    start <= 1'b0;
    if (state == GOLDEN || state == IDLE || state == START) crc <= 16'hFFFF;
    else if (step) crc <= next_crc;
    if (!resetn) begin
      testing <= 1'b1;
      failed  <= 1'b0;
    end else if (state == GOLDEN) begin
      start <= step && last;
    end else if (state == IDLE && testing) begin
      testing <= 1'b0;
      failed  <= crc != GOLDEN_CRC;
    end else if (state == START && !fresh) begin
      bad   <= crc != '0;
      start <= infers && crc == '0;
    end
    if (state == COMMAND && step) begin
      infers <= octet == INFER;
      known  <= octet == INFER || octet == IDENTIFY;
    end
  end

  // One timer: silence within a request, and the cycles from the first beat taken to the last of the result offered.
  assign taken = net_in_tvalid && net_in_tready;
  always_ff @(posedge clk) begin
    if (!resetn || arrived) timing <= 1'b0;
    else if (start) timing <= 1'b1;
    counting <= timing && (counting || taken);
    if (start || state == IDLE || (receiving && came)) timer <= '0;
    else if (receiving || (timing && !arrived && (counting || taken))) timer <= timer + 1'b1;
  end
endmodule
